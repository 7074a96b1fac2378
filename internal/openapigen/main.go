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
	all := map[string][]byte{}
	if all["openapi.yaml"], err = client.generate(text, types, dropAdmin, overlay); err != nil {
		return nil, err
	}
	if all["docs/admin-openapi.yaml"], err = operator.generate(text, types, keepAdmin, adminOverlay); err != nil {
		return nil, fmt.Errorf("admin-openapi.yaml: %w", err)
	}
	return all, nil
}

// generate makes one description of what swag has written. Choose leaves out what is none of it.
func (d description) generate(text []byte, types goTypes, choose func(object), overlay []byte) ([]byte, error) {
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
	d.addCommon(doc)
	return encode(doc)
}
