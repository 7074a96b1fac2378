package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// object is a mapping of the description.
type object = map[string]any

// runSwag runs the swag that tools/go.mod pins, and reads what it has written.
func runSwag(ctx context.Context, root string) ([]byte, error) {
	out, err := os.MkdirTemp("", "openapigen")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(out)
	cmd := exec.CommandContext(ctx, "go", "tool", "swag", "init", "--v3.1", "--quiet",
		"--generalInfo", "description.go", "--dir", "../api,..", "--exclude", "../bin",
		"--overridesFile", "../internal/openapigen/swaggo", "--outputTypes", "yaml", "--output", out)
	cmd.Dir = filepath.Join(root, "tools")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("swag: %w\n%s", err, said.Bytes())
	}
	return os.ReadFile(filepath.Join(out, "swagger.yaml"))
}

// clean takes away what swag writes without meaning anything by it.
func clean(v any) {
	switch v := v.(type) {
	case object:
		for key, child := range v {
			switch key {
			case "x-enum-varnames", "x-enum-comments":
				delete(v, key)
				continue
			case "uniqueItems":
				if child == false {
					delete(v, key)
				}
				continue
			}
			clean(child)
		}
	case []any:
		for _, child := range v {
			clean(child)
		}
	}
}

// dropAdmin leaves out the routes of the operator's listener.
func dropAdmin(doc object) {
	for path, item := range doc["paths"].(object) {
		for _, op := range item.(object) {
			if tags, _ := op.(object)["tags"].([]any); len(tags) == 1 && tags[0] == "admin" {
				delete(doc["paths"].(object), path)
			}
		}
	}
	var tags []any
	for _, t := range doc["tags"].([]any) {
		if t.(object)["name"] != "admin" {
			tags = append(tags, t)
		}
	}
	doc["tags"] = tags
	prune(doc, "schemas")
}

// keepAdmin leaves only the operator's API.
func keepAdmin(doc object) {
	for path := range doc["paths"].(object) {
		if !strings.HasPrefix(path, "/admin/v1/") {
			delete(doc["paths"].(object), path)
		}
	}
	prune(doc, "schemas")
}

func schemasOf(doc object) object { return doc["components"].(object)["schemas"].(object) }
