package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"gocloud.dev/blob"

	"github.com/edgeref/edgeref/config"
	"github.com/edgeref/edgeref/core/api"
	"github.com/edgeref/edgeref/core/catalog"
	"github.com/edgeref/edgeref/core/db"
	"github.com/edgeref/edgeref/core/kyc"
	"github.com/edgeref/edgeref/core/material"
	"github.com/edgeref/edgeref/core/newid"
	"github.com/edgeref/edgeref/core/site"
)

// openBucket opens where files are kept: documents of people, sealed, and files that everybody may see.
func (e *environment) openBucket(ctx context.Context) (*blob.Bucket, error) {
	bucket, err := kyc.OpenBucket(ctx, e.config.KYC.Bucket, filepath.Join(e.config.Data, "kyc"))
	if err != nil {
		return nil, fmt.Errorf("kyc.bucket: %w", err)
	}
	e.parts.onStop("bucket of files", func(context.Context) error { return bucket.Close() })
	return bucket, nil
}

// startSite makes what the public pages say and show.
func (e *environment) startSite(database *db.DB, ids *newid.Generator, guards *accessPart, bucket *blob.Bucket) *site.Service {
	s := site.New(site.Options{DB: database, IDs: ids, Bucket: bucket, Audit: guards.audit, Now: time.Now, Logger: e.log.With("part", "site")})
	e.route(site.MediaPath, s.Handler())
	return s
}

// linksAddress is where links answer, without a slash at the end; empty while it is not known.
func (e *environment) linksAddress() string {
	if set := e.config.Core.LinksURL; set != "" {
		return strings.TrimSuffix(set, "/")
	}
	if here := e.linksURL.Load(); here != nil {
		return *here
	}
	return ""
}

// materials is the part of the API with what affiliates hand on.
func (e *environment) materials(database *db.DB, ids *newid.Generator, guards *accessPart, links *catalog.Catalog) api.Module {
	return api.Materials(api.MaterialServices{
		Materials: material.New(material.Options{DB: database, IDs: ids, Audit: guards.audit, Now: time.Now}),
		Catalog:   links, LinksURL: e.linksAddress, PublicURL: e.publicURL,
	})
}

// settingsOf is the configuration as pages show it: what is secret is left out.
func settingsOf(loaded *config.Loader) api.SettingList {
	list := api.SettingList{Sections: []api.SettingSection{}}
	if loaded == nil {
		return list
	}
	list.File = loaded.File()
	for _, s := range loaded.Settings() {
		section := ""
		if i := strings.LastIndexByte(s.Path, '.'); i >= 0 {
			section = s.Path[:i]
		}
		if n := len(list.Sections); n == 0 || list.Sections[n-1].Name != section {
			list.Sections = append(list.Sections, api.SettingSection{Name: section})
		}
		text := s.Text()
		shown := api.Setting{
			Name: s.Path, Value: text, Default: s.Default, Source: s.Source(), Unit: s.Unit, Help: s.Help, Env: s.Env, Flag: "--" + s.Flag, Secret: s.Secret,
			IsSet: text != "",
		}
		if s.Secret {
			shown.Value = ""
		}
		last := &list.Sections[len(list.Sections)-1]
		last.Settings = append(last.Settings, shown)
	}
	return list
}
