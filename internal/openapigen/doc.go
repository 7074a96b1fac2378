// Command openapigen writes openapi.yaml, the OpenAPI 3.1 description of the API, from
// the comments and types of package api. swag reads the comments; what it gets wrong or
// cannot know is mended here: structs.go learns from the Go types which fields are
// required and which may be null, operations.go gives every answer its media type, its
// headers and the errors that any request may meet, and overlay.yaml holds what is known
// to people only, such as the bounds of a text. variants.go, enums.go and refusals.go give
// what generators would have no name for one. events.yaml holds the events and commands: of
// it, and of the schemas that both share, asyncapi.yaml is made. The same sources always give
// the same bytes.
//
// Run it by `make generate`. The operator's API has a description of its own.
package main
