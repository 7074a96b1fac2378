export default {
  perch: {
    input: '../openapi.yaml',
    output: {
      client: 'fetch',
      target: './client/perch.ts',
      schemas: './client/model',
      override: { mutator: { path: './request.ts', name: 'request' } },
    },
  },
};
