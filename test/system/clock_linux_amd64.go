//go:build linux && amd64

package system

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// clockCode replaces the kernel's clock_gettime in a process's vDSO. It asks the kernel by a system call and adds the
// number of seconds behind it to the time of day. The monotonic clock stays as it is, as when a clock is set.
var clockCode = []byte{
	0xb8, 0xe4, 0x00, 0x00, 0x00, // mov eax, 228 (clock_gettime)
	0x0f, 0x05, // syscall
	0x85, 0xff, // test edi, edi (CLOCK_REALTIME)
	0x75, 0x0a, // jne ret
	0x48, 0x8b, 0x0d, 0x0e, 0x00, 0x00, 0x00, // mov rcx, [offset]
	0x48, 0x01, 0x0e, // add [rsi], rcx
	0xc3,                                                       // ret
	0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, // up to the offset
}

// Clock is the time of day as one process sees it. The binary is what users run: a page of the kernel's that every
// process has for reading the clock is replaced in this one's memory.
type Clock struct {
	mem *os.File
	at  int64 // where the offset is
}

// Clock takes over the clock of the running process, until it ends. An error says that it cannot be done here.
func (p *Process) Clock() (*Clock, error) {
	p.T.Helper()
	c, err := takeClock(p.T, p.Cmd.Process.Pid)
	if err != nil {
		return nil, fmt.Errorf("take over the clock of a process: %w", err)
	}
	p.T.Cleanup(func() { _ = c.mem.Close() })
	return c, nil
}

// Set makes the process see a time of day that is off by so many seconds.
func (c *Clock) Set(offset time.Duration) error {
	_, err := c.mem.WriteAt(binary.LittleEndian.AppendUint64(nil, uint64(int64(offset/time.Second))), c.at)
	return err
}

func takeClock(t testing.TB, pid int) (*Clock, error) {
	start, size, err := vdso(pid)
	if err != nil {
		return nil, err
	}
	mem, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", pid), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	image := make([]byte, size)
	if _, err := mem.ReadAt(image, start); err != nil {
		return nil, err
	}
	at, err := clockFunction(image)
	if err != nil {
		return nil, err
	}
	// No thread may stand in what is replaced.
	defer func() { _ = syscall.Kill(pid, syscall.SIGCONT) }()
	WaitFor(t, startTimeout, func() bool {
		_ = syscall.Kill(pid, syscall.SIGSTOP)
		if !stopped(pid) {
			return false
		}
		if inside(pid, start, start+size) {
			_ = syscall.Kill(pid, syscall.SIGCONT)
			return false
		}
		return true
	}, func() string { return "the process does not stop outside of the vDSO" })
	if _, err := mem.WriteAt(append(bytes.Clone(clockCode), make([]byte, 8)...), start+at); err != nil {
		return nil, err
	}
	return &Clock{mem: mem, at: start + at + int64(len(clockCode))}, nil
}

// vdso is where the process has the kernel's page of code.
func vdso(pid int) (start, size int64, err error) {
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(maps)) {
		var end int64
		if strings.HasSuffix(strings.TrimSpace(line), "[vdso]") {
			if _, err := fmt.Sscanf(line, "%x-%x", &start, &end); err != nil {
				return 0, 0, err
			}
			return start, end - start, nil
		}
	}
	return 0, 0, errors.New("the process has no vDSO")
}

func clockFunction(image []byte) (int64, error) {
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return 0, err
	}
	symbols, err := f.DynamicSymbols()
	if err != nil {
		return 0, err
	}
	for _, s := range symbols {
		if s.Name == "__vdso_clock_gettime" {
			if s.Size < uint64(len(clockCode)+8) || s.Value%8 != 0 {
				return 0, fmt.Errorf("clock_gettime has %d bytes at %x: no room", s.Size, s.Value)
			}
			return int64(s.Value), nil
		}
	}
	return 0, errors.New("the vDSO has no clock_gettime")
}

func tasks(pid int, file string) (contents []string) {
	paths, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/%s", pid, file))
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err == nil {
			contents = append(contents, string(b))
		}
	}
	return contents
}

func stopped(pid int) bool {
	for _, stat := range tasks(pid, "stat") {
		if !strings.HasPrefix(stat[strings.LastIndexByte(stat, ')')+1:], " T") {
			return false
		}
	}
	return true
}

// inside reports whether a thread's next instruction is in the range.
func inside(pid int, from, to int64) bool {
	for _, text := range tasks(pid, "syscall") {
		fields := strings.Fields(text)
		var pc int64
		if len(fields) < 3 {
			return true // running
		}
		if _, err := fmt.Sscanf(fields[len(fields)-1], "0x%x", &pc); err != nil || pc >= from && pc < to {
			return true
		}
	}
	return false
}
