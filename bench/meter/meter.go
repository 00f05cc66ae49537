// Package meter shows how far a long step is.
package meter

import (
	"fmt"
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Meter shows how far a step is: a bar on a terminal, else a line for each tenth. It is not safe for concurrent use.
type Meter struct {
	out   io.Writer
	bar   *progressbar.ProgressBar // nil: plain lines
	what  string
	total int
	done  int
	tenth int
}

// New returns a meter for total steps of what.
func New(out io.Writer, what string, total int) *Meter {
	p := &Meter{out: out, what: what, total: total}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(what),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionThrottle(100_000_000),
			progressbar.OptionOnCompletion(func() { fmt.Fprintln(out) }))
	}
	return p
}

// Add says that n more are done.
func (p *Meter) Add(n int) {
	n = min(n, p.total-p.done)
	p.done += n
	if p.bar != nil {
		_ = p.bar.Add(n) // a terminal that cannot be written to is no reason to stop
		return
	}
	if tenth := 10 * p.done / max(p.total, 1); tenth > p.tenth {
		p.tenth = tenth
		fmt.Fprintf(p.out, "%s: %d of %d\n", p.what, p.done, p.total)
	}
}
