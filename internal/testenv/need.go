package testenv

import (
	"os"
	"os/exec"
	"testing"
)

// Need returns where err is nil. Otherwise the test lacks what it needs to mean anything: it is skipped with a message that
// says what is missing, or fails where HOLDFAST_REQUIRE=1.
func Need(t testing.TB, err error, what string) {
	t.Helper()
	switch {
	case err == nil:
	case os.Getenv("HOLDFAST_REQUIRE") == "1":
		t.Fatalf("needs %s: %v", what, err)
	default:
		t.Skipf("needs %s: %v (HOLDFAST_REQUIRE=1 makes this a failure)", what, err)
	}
}

// NeedProgram returns the path of an installed program, also where only root has its folder in PATH. See [Need].
func NeedProgram(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		for _, folder := range []string{"/usr/sbin/", "/usr/local/sbin/", "/sbin/"} {
			if found, err := exec.LookPath(folder + name); err == nil {
				return found
			}
		}
	}
	Need(t, err, name)
	return path
}
