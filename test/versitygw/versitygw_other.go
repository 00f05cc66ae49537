//go:build !linux

package versitygw

import "testing"

// Keys of the one user of a server.
const (
	AccessKey = "test-access"
	SecretKey = "test-secret-key"
)

// Start skips the test: the server is started on Linux only.
func Start(t testing.TB, _ string) string {
	t.Helper()
	t.Skip("versitygw is started on Linux only")
	return ""
}
