package sensors

import "syscall"

// diskSpace returns what is free for this process, and the size, of the file system with that folder, in bytes.
func diskSpace(folder string) (free, size float64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(folder, &s); err != nil {
		return 0, 0, err
	}
	return float64(s.Bavail) * float64(s.Bsize), float64(s.Blocks) * float64(s.Bsize), nil
}
