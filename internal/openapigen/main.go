package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

//go:embed overlay.yaml
var overlay []byte

//go:embed admin.yaml
var adminOverlay []byte

func main() {
	texts, err := generate(context.Background(), ".")
	for path, text := range texts {
		if err == nil {
			err = os.WriteFile(path, text, 0o644)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "openapigen:", err)
		os.Exit(1)
	}
}

// generate makes the descriptions of the module in folder root, by their paths in it.
func generate(ctx context.Context, root string) (map[string][]byte, error) {
	types, err := readTypes(root, filepath.Join(root, "api"))
	if err != nil {
		return nil, err
	}
	text, err := runSwag(ctx, root)
	if err != nil {
		return nil, err
	}
	events, err := readEvents(eventsYAML)
	if err != nil {
		return nil, err
	}
	fields, err := readFields(fieldsYAML)
	if err != nil {
		return nil, err
	}
	open, err := client.generate(text, types, dropAdmin, overlay, events.addTo, fields)
	if err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	admin, err := operator.generate(text, types, keepAdmin, adminOverlay, nil, fields)
	if err != nil {
		return nil, fmt.Errorf("admin-openapi.yaml: %w", err)
	}
	all := map[string][]byte{}
	if all["asyncapi.yaml"], err = events.asyncAPI(open, fields); err != nil {
		return nil, fmt.Errorf("asyncapi.yaml: %w", err)
	}
	if err := fields.unused(); err != nil {
		return nil, err
	}
	if all["openapi.yaml"], err = encode(open, "the comments of package api"); err != nil {
		return nil, err
	}
	all["docs/admin-openapi.yaml"], err = encode(admin, "the comments of package api")
	return all, err
}

// generate makes one description of what swag has written. Choose leaves out what is none of it, and
// add, unless it is nil, adds what is not from package api. What is made of a schema that is described, by
// events.yaml or as a variant, has its texts; what has got a name by then has its own.
func (d description) generate(text []byte, types goTypes, choose func(object), overlay []byte, add func(object) error, fields *fieldTexts) (object, error) {
	var doc, byHand object
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	if err := yaml.Unmarshal(overlay, &byHand); err != nil {
		return nil, fmt.Errorf("overlay: %w", err)
	}
	clean(doc)
	choose(doc)
	if err := mendSchemas(doc, types); err != nil {
		return nil, err
	}
	d.mendOperations(doc)
	if err := patch(doc, byHand, ""); err != nil {
		return nil, fmt.Errorf("overlay: %w", err)
	}
	fields.describe(doc)
	if add != nil {
		if err := add(doc); err != nil {
			return nil, err
		}
	}
	if err := splitVariants(schemasOf(doc)); err != nil {
		return nil, fmt.Errorf("overlay: %w", err)
	}
	fields.describe(doc)
	nameEnums(schemasOf(doc))
	fields.describe(doc)
	d.foldRefusals(doc)
	titleVariants(doc)
	plain(doc)
	return doc, nil
}
