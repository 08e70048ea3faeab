package main

import "syscall"

// apart makes a child the first of a process group of its own.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
