package testenv

import (
	"os"
	"path/filepath"
	"testing"
)

// Redis runs a real redis-server that keeps nothing on the disk, on a unix socket; Addr is the socket's path. args are
// further arguments of redis-server.
func Redis(t testing.TB, args ...string) *Server {
	t.Helper()
	program := NeedProgram(t, "redis-server")
	dir, err := os.MkdirTemp("", "redis") // not t.TempDir: a socket's path has at most 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "redis.sock")
	return run(t, &Server{
		Network: "unix",
		Addr:    socket,
		name:    program,
		args:    append([]string{"--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no"}, args...),
		ready:   "ready to accept connections",
		dir:     dir,
	})
}
