//go:build !linux

package buffer

import (
	"errors"
	"os"
)

func newAnonymous() (*os.File, error) { return nil, errors.ErrUnsupported }
