package api

import (
	"context"
	"net/http"

	"github.com/edgeref/edgeref/core/access"
)

// Setting is one value of the configuration.
type Setting struct {
	Name    string `json:"name" example:"tracker.link_ttl"`
	Value   string `json:"value" example:"1m0s" doc:"In effect. Empty where it is secret"`
	Default string `json:"default" example:"60s"`
	Source  string `json:"source" enum:"default,file,environment,flag" doc:"Where the value came from"`
	Unit    string `json:"unit" example:"duration" doc:"What it is measured in, or what it may be; empty: a text, a number or true and false"`
	Help    string `json:"help" example:"longest time that a cached link is used without asking again while the core answers"`
	Env     string `json:"env" example:"EDGEREF_TRACKER_LINK_TTL" doc:"The variable that sets it"`
	Flag    string `json:"flag" example:"--tracker-link-ttl"`
	Secret  bool   `json:"secret" doc:"Its value is never shown"`
	IsSet   bool   `json:"is_set" example:"true" doc:"It has a value"`
}

// SettingSection is a part of the configuration.
type SettingSection struct {
	Name     string    `json:"name" example:"tracker" doc:"Empty: what belongs to no section"`
	Settings []Setting `json:"settings" nullable:"false"`
}

// SettingList is the whole configuration.
type SettingList struct {
	File     string           `json:"file" example:"/etc/edgeref.yaml" doc:"That was read; empty: none"`
	Sections []SettingSection `json:"sections" nullable:"false"`
}

// Settings registers the operation that shows the configuration, which is fixed while the process runs.
func Settings(all SettingList) Module {
	return func(a *API) {
		handle(a, operation{
			id: "get-settings", method: http.MethodGet, path: "/settings", tag: "System", scope: access.SettingsRead,
			summary: "Show the configuration",
			about: "As this process was started with: to change it, change the file, the environment or the flags and start it again. Secrets are not shown. " +
				"Trackers have a configuration of their own.",
		}, func(context.Context, *struct{}) (*struct{ Body SettingList }, error) {
			return &struct{ Body SettingList }{all}, nil
		})
	}
}
