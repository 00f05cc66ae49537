// Edgeref runs an affiliate business: it redirects referral links from memory, records every click durably, attributes
// conversions, and keeps the ledger of what affiliates have earned. See README.md.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	environ := os.Environ()
	forgetSecrets(environ)
	if err := run(ctx, os.Args[1:], environ, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintf(os.Stderr, "edgeref: %v\n", err)
		os.Exit(1)
	}
}

// run is main without the process around it.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) error {
	root := commands(environ, stdout, stderr)
	root.SetArgs(args)
	return root.ExecuteContext(ctx)
}

// forgetSecrets takes our variables out of the environment once they have been read, so that no child process and no
// crash report carries them.
func forgetSecrets(environ []string) {
	for _, kv := range environ {
		if name, _, ok := strings.Cut(kv, "="); ok && strings.HasPrefix(name, "EDGEREF_") {
			os.Unsetenv(name)
		}
	}
}
