//go:build !linux

package spool

import "os"

func datasync(f *os.File) error { return f.Sync() }

func reserve(*os.File, int64) error { return nil }
