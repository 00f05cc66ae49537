package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/edgeref/edgeref/config"
)

// Pages show every setting, where its value came from, and no secret.
func TestSettingsOf(t *testing.T) {
	loader := config.NewLoader()
	const hidden = "not-to-be-seen-by-anybody-at-all"
	if _, err := loader.Load(config.Serve, []string{"EDGEREF_ADMIN_TOKEN=" + hidden, "EDGEREF_TRACKER_NODE=7"}); err != nil {
		t.Fatal(err)
	}
	list := settingsOf(loader)
	text, err := json.Marshal(list)
	if err != nil || strings.Contains(string(text), hidden) {
		t.Errorf("the secret is shown, or %v", err)
	}
	found, seen := 0, 0
	for _, section := range list.Sections {
		for _, s := range section.Settings {
			seen++
			switch s.Name {
			case "tracker.node":
				found++
				if s.Value != "7" || s.Source != "environment" || s.Default != "1" || section.Name != "tracker" {
					t.Errorf("%+v", s)
				}
			case "core.admin_token":
				found++
				if !s.Secret || !s.IsSet || s.Value != "" {
					t.Errorf("%+v", s)
				}
			}
		}
	}
	if found != 2 || seen != len(loader.Settings()) {
		t.Errorf("%d of %d settings, %d of those looked for", seen, len(loader.Settings()), found)
	}
}
