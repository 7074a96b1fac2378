// Shows the description of the gateway that this page came from. Nothing is asked of any
// other host: no validator, no fonts, no description from the query string.
'use strict';

// What Swagger UI leaves to be done for people who do not see the page, or do not click: a link inside of the
// button that opens an operation (the address follows what is opened without it), fields without a name, and a
// choice of servers, of which there is one, this.
const named =
  (Field, { React }) =>
  (props) =>
    React.createElement(
      'label',
      null,
      React.createElement('span', { className: 'unseen' }, props.description),
      React.createElement(Field, props),
    );
const mended = () => ({
  wrapComponents: {
    DeepLink:
      (_, { React }) =>
      ({ text }) =>
        React.createElement('span', null, text),
    ServersContainer: () => () => null,
    JsonSchema_boolean: named,
    JsonSchema_string: named,
  },
});

window.ui = SwaggerUIBundle({
  url: '/v1/openapi.yaml',
  dom_id: '#reference',
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  queryConfigEnabled: false,
  plugins: [mended],
  validatorUrl: null,
});
