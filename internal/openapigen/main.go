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

func main() {
	text, err := generate(context.Background(), ".")
	if err == nil {
		err = os.WriteFile("openapi.yaml", text, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "openapigen:", err)
		os.Exit(1)
	}
}

// generate makes the description of the module in folder root.
func generate(ctx context.Context, root string) ([]byte, error) {
	doc, err := runSwag(ctx, root)
	if err != nil {
		return nil, err
	}
	types, err := readTypes(root, filepath.Join(root, "api"))
	if err != nil {
		return nil, err
	}
	var byHand object
	if err := yaml.Unmarshal(overlay, &byHand); err != nil {
		return nil, fmt.Errorf("overlay.yaml: %w", err)
	}
	clean(doc)
	dropAdmin(doc)
	if err := mendSchemas(doc, types); err != nil {
		return nil, err
	}
	mendOperations(doc)
	if err := patch(doc, byHand, ""); err != nil {
		return nil, fmt.Errorf("overlay.yaml: %w", err)
	}
	addCommon(doc)
	return encode(doc)
}
