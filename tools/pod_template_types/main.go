// Writes the Go struct layout behind a PodTemplateSpec as JSON: what fmt-like dumps of it print, field by field.
package main

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

type layout struct {
	Kind   string     `json:"kind"`             // struct, slice, map, pointer or the basic kind
	Elem   string     `json:"elem,omitempty"`   // slice, map and pointer: the element's type
	Fields [][]string `json:"fields,omitempty"` // struct: Go name, JSON name ("" for inlined), type
}

var types = map[string]layout{}

func visit(t reflect.Type) {
	name := t.String()
	if _, seen := types[name]; seen {
		return
	}
	entry := layout{Kind: t.Kind().String()}
	types[name] = entry
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		entry.Elem = t.Elem().String()
		visit(t.Elem())
	case reflect.Struct:
		if name == "resource.Quantity" || name == "v1.Time" || name == "intstr.IntOrString" {
			break
		}
		for i := 0; i < t.NumField(); i++ {
			field := t.Field(i)
			tag, options, _ := strings.Cut(field.Tag.Get("json"), ",")
			if field.Anonymous && strings.Contains(options, "inline") {
				tag = ""
			}
			entry.Fields = append(entry.Fields, []string{field.Name, tag, field.Type.String()})
			visit(field.Type)
		}
	}
	types[name] = entry
}

func main() {
	visit(reflect.TypeOf(corev1.PodTemplateSpec{}))
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(types); err != nil {
		panic(err)
	}
}
