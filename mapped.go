package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// unmapBinary takes the pages of the program's own file out of the process. Those that are used come back from the page
// cache by a minor fault for each 64 KiB around them. All that a binary holds is initialised when it starts, which maps
// most of it, and nothing takes it away again before memory is short.
func unmapBinary() error {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return fmt.Errorf("find own binary: %w", err)
	}
	smaps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return fmt.Errorf("find own pages: %w", err)
	}
	defer smaps.Close()
	ranges, err := cleanRanges(smaps, exe)
	if err != nil {
		return err
	}
	for _, r := range ranges {
		if _, _, errno := unix.Syscall(unix.SYS_MADVISE, r.start, r.end-r.start, unix.MADV_DONTNEED); errno != 0 {
			return fmt.Errorf("unmap own pages: %w", errno)
		}
	}
	return nil
}

// addresses are those from start to before end.
type addresses struct{ start, end uintptr }

// cleanRanges reads from /proc/PID/smaps which mappings of a file can be had from it again: those that cannot be written
// and hold no page of the process's own, such as relocations or a debugger's.
func cleanRanges(smaps io.Reader, file string) ([]addresses, error) {
	var clean []addresses
	candidate := false // of the last range, whose fields are being read
	lines := bufio.NewScanner(smaps)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) < 2:
		case strings.HasSuffix(fields[0], ":"):
			if own := fields[0] == "Anonymous:" || fields[0] == "Swap:"; own && fields[1] != "0" && candidate {
				clean, candidate = clean[:len(clean)-1], false
			}
		default:
			candidate = false
			r, ok := addressRange(fields[0])
			// Address, permissions, offset, device, inode, path: see proc_pid_smaps(5).
			if ok && len(fields) == 6 && fields[5] == file && (fields[1] == "r-xp" || fields[1] == "r--p") {
				clean, candidate = append(clean, r), true
			}
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read own pages: %w", err)
	}
	return clean, nil
}

func addressRange(s string) (addresses, bool) {
	from, to, ok := strings.Cut(s, "-")
	start, err := strconv.ParseUint(from, 16, 64)
	end, endErr := strconv.ParseUint(to, 16, 64)
	return addresses{uintptr(start), uintptr(end)}, ok && err == nil && endErr == nil && start < end
}
