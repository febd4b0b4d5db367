// Runs in the browser, after swagger-ui-bundle.js.
const place = document.querySelector("#swagger-ui");
globalThis.SwaggerUIBundle({
  domNode: place,
  url: place.dataset.document,
  // the default would send the document's address to swagger.io
  validatorUrl: null,
  queryConfigEnabled: false,
  persistAuthorization: false,
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
});
