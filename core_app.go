package main

import (
	"context"

	"github.com/edgeref/edgeref/core/access"
	"github.com/edgeref/edgeref/core/site"
	"github.com/edgeref/edgeref/core/web"
)

// startWeb serves the pages for people who are signed in.
func (e *environment) startWeb(settings *site.Service) error {
	var scopes []string
	for _, scope := range access.Scopes() {
		scopes = append(scopes, string(scope))
	}
	app, err := web.New(func(ctx context.Context) web.Bootstrap {
		b := web.Bootstrap{Origin: e.publicURL, Site: e.config.Mail.Site, Demo: e.demo, Version: version, Scopes: scopes, Tracker: e.config.Core.LinksURL}
		if tracker := e.linksURL.Load(); b.Tracker == "" && tracker != nil {
			b.Tracker = *tracker
		}
		now, err := settings.Get(ctx)
		if err != nil {
			e.log.Warn("the application starts without the site's settings", "error", err)
			return b
		}
		if now.Revision > 0 || b.Site == "" {
			b.Site = now.Name
		}
		return b
	})
	if err != nil {
		return err
	}
	e.route(web.Prefix, app)
	return nil
}
