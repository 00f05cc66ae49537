//go:build !linux

// Package load sends HTTP requests on a schedule; it uses epoll and is there on Linux only.
package load
