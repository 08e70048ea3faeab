package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// running returns the process that the pid file names, if it is alive and is this part's binary; else 0.
func (p part) running() int {
	data, err := os.ReadFile(p.pidFile())
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || pid <= 1 || processName(pid) != p.name {
		return 0
	}
	return pid
}

// processName returns the name of a living process: from /proc where there is one, which needs no further program, else
// from ps. It is empty for one that has ended.
func processName(pid int) string {
	if _, err := os.Stat("/proc/self/stat"); err == nil {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil {
			return ""
		}
		return parseStat(string(stat))
	}
	out, err := exec.Command("ps", "-p", strconv.Itoa(pid), "-o", "comm=").Output()
	if err != nil {
		return ""
	}
	return filepath.Base(strings.TrimSpace(string(out)))
}

// parseStat reads "12 (gateway) S …": a zombie, state Z, has ended.
func parseStat(stat string) string {
	open, shut := strings.IndexByte(stat, '('), strings.LastIndexByte(stat, ')')
	if open < 0 || shut < open || strings.HasPrefix(strings.TrimSpace(stat[shut+1:]), "Z") {
		return ""
	}
	return stat[open+1 : shut]
}
