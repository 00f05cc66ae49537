package system

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startTimeout bounds a start, getting ready, and a stop in order.
const startTimeout = 3 * time.Minute

// Process is one edgeref process. It may be started again after it has ended: on the same arguments and addresses. Its
// methods fail the test; they are for the test's goroutine.
type Process struct {
	T      testing.TB
	Binary Binary
	Role   string     // serve, core or tracker
	Args   []string   // behind the role; listeners that are not named get free ports of Host
	Env    []string   // beside PATH and TMPDIR
	Host   string     // default 127.0.0.1
	Prefix []string   // a command that runs it, if any
	Files  []*os.File // descriptors from 3 on
	// Patience bounds a start; 0: startTimeout.
	Patience time.Duration

	Tracker, Core, Ops string // base URLs, as the process printed them
	Output             *Tail
	Cmd                *exec.Cmd

	exited chan struct{}
	err    error // of Wait; valid once exited is closed
}

// addressLine matches what a role prints about a listener.
var addressLine = regexp.MustCompile(`^\s*(tracker|core|ops)\s+(http://[0-9.:]+)`)

// listeners are the names of the role's listeners, with where their addresses are kept.
func (p *Process) listeners() map[string]*string {
	all := map[string]*string{"ops": &p.Ops, "tracker": &p.Tracker, "core": &p.Core}
	switch p.Role {
	case "core":
		delete(all, "tracker")
	case "tracker":
		delete(all, "core")
	}
	return all
}

// Start starts the process and waits until it has printed its addresses.
func (p *Process) Start() {
	p.T.Helper()
	path, err := p.Binary()
	if err != nil {
		p.T.Fatal(err)
	}
	args := []string{p.Role}
	for name, url := range p.listeners() {
		if flag := "--" + name + "-listen"; !slices.Contains(p.Args, flag) {
			args = append(args, flag, p.address(*url))
		}
	}
	command := slices.Concat(p.Prefix, []string{path}, args, p.Args)
	p.Cmd = exec.Command(command[0], command[1:]...)
	p.Cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir(), "GORACE=halt_on_error=1"}, p.Env...)
	p.Cmd.ExtraFiles = p.Files
	p.Cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.Output, p.exited = &Tail{}, make(chan struct{})
	p.Cmd.Stderr = p.Output
	stdout, err := p.Cmd.StdoutPipe()
	if err != nil {
		p.T.Fatal(err)
	}
	if err := p.Cmd.Start(); err != nil {
		p.T.Fatal(err)
	}
	printed, cmd, output, exited := make(chan string, 64), p.Cmd, p.Output, p.exited
	go func() {
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			fmt.Fprintln(output, lines.Text())
			select {
			case printed <- lines.Text():
			default:
			}
		}
		p.err = cmd.Wait()
		close(exited)
	}()
	p.readAddresses(printed)
}

func (p *Process) address(url string) string {
	if url != "" {
		return Address(url)
	}
	if p.Host != "" {
		return p.Host + ":0"
	}
	return "127.0.0.1:0"
}

func (p *Process) readAddresses(printed <-chan string) {
	p.T.Helper()
	want := p.listeners()
	missing := len(want)
	for _, url := range want {
		*url = ""
	}
	deadline := time.After(max(p.Patience, startTimeout))
	for missing > 0 {
		select {
		case line := <-printed:
			if m := addressLine.FindStringSubmatch(line); m != nil && want[m[1]] != nil {
				if *want[m[1]] == "" {
					missing--
				}
				*want[m[1]] = m[2]
			}
		case <-p.exited:
			p.T.Fatalf("edgeref %s ended while it started: %v\n%s", p.Role, p.err, p.Output)
		case <-deadline:
			p.T.Fatalf("edgeref %s printed no addresses\n%s", p.Role, p.Output)
		}
	}
}

// Ready waits until the process says that it is.
func (p *Process) Ready() {
	p.T.Helper()
	last := ""
	WaitFor(p.T, startTimeout, func() bool {
		select {
		case <-p.exited:
			p.T.Fatalf("edgeref %s ended before it was ready: %v\n%s", p.Role, p.err, p.Output)
		default:
		}
		var status int
		status, last = Get(p.Ops + "/readyz")
		return status == http.StatusOK
	}, func() string { return "edgeref " + p.Role + " is not ready: " + last + "\n" + p.Output.String() })
}

// Kill is kill -9, and does nothing to a process that has ended.
func (p *Process) Kill() {
	if p.Cmd == nil || p.Cmd.Process == nil {
		return
	}
	_ = p.Cmd.Process.Kill()
	<-p.exited
}

// Terminate is SIGTERM; the process must end by itself, without an error.
func (p *Process) Terminate() {
	p.T.Helper()
	p.Signal(syscall.SIGTERM)
	p.Wait()
}

// Signal sends a signal.
func (p *Process) Signal(s syscall.Signal) {
	p.T.Helper()
	if err := p.Cmd.Process.Signal(s); err != nil {
		p.T.Fatal(err)
	}
}

// Wait waits for the end of a process that was told to stop.
func (p *Process) Wait() {
	p.T.Helper()
	select {
	case <-p.exited:
	case <-time.After(startTimeout):
		p.T.Fatalf("edgeref %s did not stop on SIGTERM\n%s", p.Role, p.Output)
	}
	if p.err != nil {
		p.T.Fatalf("edgeref %s stopped with %v\n%s", p.Role, p.err, p.Output)
	}
}

// Address is the host and port of a base URL.
func Address(url string) string { return strings.TrimPrefix(url, "http://") }
