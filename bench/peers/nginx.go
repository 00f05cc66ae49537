package main

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
)

// One worker, access log in its default form: one write for each request.
const nginxConfig = `
worker_processes 1;
daemon off;
pid DIR/nginx.pid;
error_log DIR/error.log;
events { worker_connections 20480; }
http {
	access_log DIR/access.log combined;
	keepalive_requests 1000000000;
	client_body_temp_path DIR/body;
	proxy_temp_path DIR/proxy;
	fastcgi_temp_path DIR/fastcgi;
	uwsgi_temp_path DIR/uwsgi;
	scgi_temp_path DIR/scgi;
	server {
		listen ADDR;
		location / { return 302 LOCATION; }
	}
}
`

func startNginx(ctx context.Context, dir string, addr netip.AddrPort) (*process, error) {
	config, err := writeFile(dir, "nginx.conf", strings.NewReplacer("DIR", dir, "ADDR", addr.String(), "LOCATION", bareLocation).Replace(nginxConfig))
	if err != nil {
		return nil, fmt.Errorf("configure nginx: %w", err)
	}
	p, err := launch("nginx", nil, "nginx", "-p", dir, "-c", config)
	if err != nil {
		return nil, err
	}
	return p, p.listens(ctx, addr)
}
