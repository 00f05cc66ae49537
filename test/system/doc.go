// Package system runs real edgeref processes for tests: it builds the binary, starts roles on free ports, waits until
// they are ready, ends them in order or as kill -9 does, and reads their metrics.
package system
