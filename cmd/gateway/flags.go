package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"
)

// newFlags returns the flags of a subcommand. They print nothing themselves: parse returns what is wrong with them, and whoever
// chose the subcommand prints its usage.
func newFlags(name string) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return flags
}

// A helpWanted is the error of a subcommand that was asked for its usage.
type helpWanted struct{ flags *flag.FlagSet }

func (h helpWanted) Error() string { return flag.ErrHelp.Error() }

// parse parses the flags in front of the first word.
func parse(flags *flag.FlagSet, args []string) error {
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return helpWanted{flags}
	}
	if err != nil {
		return fmt.Errorf("%w: %v; `gateway %s -h` lists the flags", errUsage, err, flags.Name())
	}
	return nil
}

// mixed parses flags that may stand between the words, and returns the words.
func mixed(flags *flag.FlagSet, args []string) (words []string, err error) {
	for {
		if err := parse(flags, args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return words, nil
		}
		words, args = append(words, flags.Arg(0)), flags.Args()[1:]
	}
}

// usage prints how a subcommand is called.
func (c subcommand) usage(out io.Writer, program string, flags *flag.FlagSet) {
	call := strings.TrimSpace(program + " " + c.name + " " + c.arguments)
	fmt.Fprintf(out, "usage: %s\n%s\n", call, c.about)
	flags.SetOutput(out)
	flags.PrintDefaults()
}

// A durationValue is a flag that takes a duration, and says what one looks like.
type durationValue time.Duration

func (s *durationValue) String() string { return time.Duration(*s).String() }

func (s *durationValue) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil {
		return errors.New("want a duration such as 24h, 90m or 30s")
	}
	*s = durationValue(d)
	return nil
}

// durationFlag adds a flag that takes a duration.
func durationFlag(flags *flag.FlagSet, name string, fallback time.Duration, about string) *time.Duration {
	d := &fallback
	flags.Var((*durationValue)(d), name, about)
	return d
}
