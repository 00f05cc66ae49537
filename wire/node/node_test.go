package node_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/wire/node"
)

func TestValidate(t *testing.T) {
	good := node.Status{Node: 3, Instance: "a"}
	for name, change := range map[string]func(*node.Status){
		"no number":        func(s *node.Status) { s.Node = 0 },
		"too large":        func(s *node.Status) { s.Node = 65536 },
		"no instance":      func(s *node.Status) { s.Instance = "" },
		"long version":     func(s *node.Status) { s.Version = strings.Repeat("v", 65) },
		"long error":       func(s *node.Status) { s.Feed.Error = strings.Repeat("e", 501) },
		"error is no text": func(s *node.Status) { s.Feed.Error = "\xff" },
		"many spools":      func(s *node.Status) { s.Spools = make([]node.Spool, 9) },
	} {
		s := good
		change(&s)
		if s.Validate() == nil {
			t.Errorf("%s is valid", name)
		}
	}
	good.Feed.Error = node.Cut(strings.Repeat("ä", 400))
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
}

func FuzzStatus(f *testing.F) {
	f.Add(`{"node":1,"instance":"x","spools":[{"name":"clicks"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var s node.Status
		if json.Unmarshal([]byte(text), &s) != nil || s.Validate() != nil {
			return
		}
		if b, err := json.Marshal(s); err != nil || len(b) > 6*node.MaxBody {
			t.Errorf("%d bytes, %v", len(b), err)
		}
	})
}
