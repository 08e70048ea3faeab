package virtualpi

import (
	"bufio"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// moduleOrder returns the files, relative to the folder of modules.dep, that must be loaded to have every wanted module,
// each behind the files that it depends on. dep is modules.dep and builtin modules.builtin as depmod writes them. A
// module that is built into the kernel needs no file; one that is in neither list is an error.
func moduleOrder(wanted []string, dep, builtin io.Reader) ([]string, error) {
	files := make(map[string][]string) // module to its file and, behind it, what must be loaded first, last one first
	for line := range lines(dep) {
		file, needs, ok := strings.Cut(line, ":")
		if !ok {
			return nil, fmt.Errorf("modules.dep: %q has no colon", line)
		}
		files[moduleName(file)] = append([]string{file}, strings.Fields(needs)...)
	}
	inKernel := make(map[string]bool)
	for line := range lines(builtin) {
		inKernel[moduleName(line)] = true
	}

	var order []string
	for _, name := range wanted {
		needs, ok := files[moduleName(name)]
		if !ok && !inKernel[moduleName(name)] {
			return nil, fmt.Errorf("module %s: not in this kernel", name)
		}
		for _, file := range slices.Backward(needs) {
			if !slices.Contains(order, file) {
				order = append(order, file)
			}
		}
	}
	return order, nil
}

// moduleName returns the name under which the kernel knows a module file: it takes - and _ for the same.
func moduleName(file string) string {
	name, _, _ := strings.Cut(path.Base(file), ".ko")
	return strings.ReplaceAll(name, "-", "_")
}

func lines(r io.Reader) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for s := bufio.NewScanner(r); s.Scan(); {
			if !yield(s.Text()) {
				return
			}
		}
	}
}
