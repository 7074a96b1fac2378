import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// The page and the API have one origin: in production a web server sees to it, here the proxy does. So nothing
// of CORS is needed, and sockets pass.
const gateway = process.env['PERCH_URL'] ?? 'http://127.0.0.1:8080';
const proxy = {
  '/v1': {
    target: gateway,
    ws: true,
    // The gateway lets in the pages of its own host: it compares Origin with Host. changeOrigin would set Host to
    // that of the gateway and leave Origin, and each socket were refused with 4003.
    changeOrigin: false,
  },
};

export default defineConfig({
  plugins: [react()],
  server: { proxy },
  preview: { proxy },
  // perch.js lies in this repository, beside its own node_modules: there must be one React.
  resolve: { preserveSymlinks: true, dedupe: ['react', 'react-dom'] },
});
