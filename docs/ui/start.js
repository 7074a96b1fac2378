// Shows the description of the gateway that this page came from. Nothing is asked of any
// other host: no validator, no fonts, no description from the query string.
'use strict';
window.ui = SwaggerUIBundle({
  url: '/v1/openapi.yaml',
  dom_id: '#reference',
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  queryConfigEnabled: false,
  validatorUrl: null,
});
