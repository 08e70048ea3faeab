package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"
)

// A helpWanted is the error of a subcommand that was asked for its usage. Whoever chose the subcommand prints it.
type helpWanted struct{ flags *flag.FlagSet }

func (h helpWanted) Error() string { return flag.ErrHelp.Error() }

// asksHelp reports whether the first word of args asks how something is called.
func asksHelp(args []string) bool {
	return len(args) > 0 && (args[0] == "help" || args[0] == "-h" || args[0] == "-help" || args[0] == "--help")
}

// usage prints how a subcommand is called.
func (c subcommand) usage(out io.Writer, program string, flags *flag.FlagSet) {
	call := strings.TrimSpace(program + " " + c.name + " " + c.arguments)
	fmt.Fprintf(out, "usage: %s\n%s\n", call, c.about)
	if flags != nil {
		flags.SetOutput(out)
		flags.PrintDefaults()
	}
}

// A durationValue is a flag that takes a duration, and says what one looks like.
type durationValue time.Duration

func (d *durationValue) String() string { return time.Duration(*d).String() }

func (d *durationValue) Set(text string) error {
	v, err := time.ParseDuration(text)
	if err != nil {
		return errors.New("want a duration such as 24h, 90m or 30s")
	}
	*d = durationValue(v)
	return nil
}
