package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// A HelpWanted is the error of a subcommand that was asked for its usage; [Choose] prints it. Flags may be nil.
type HelpWanted struct{ Flags *flag.FlagSet }

func (h HelpWanted) Error() string { return flag.ErrHelp.Error() }

// AsksHelp reports whether the first word of args asks how something is called.
func AsksHelp(args []string) bool {
	return len(args) > 0 && slices.Contains([]string{"help", "-h", "-help", "--help"}, args[0])
}

// NewFlags returns the flags of a subcommand, by the words that call it, which may be empty. They print nothing themselves: Parse returns what is wrong with them, and Choose
// prints the usage.
func NewFlags(name string) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return flags
}

// Parse parses the flags in front of the first word.
func Parse(flags *flag.FlagSet, args []string) error {
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return HelpWanted{flags}
	}
	if err != nil {
		return fmt.Errorf("%w: %v; `%s` lists the flags", ErrUsage, err, strings.TrimSpace(flags.Name()+" -h"))
	}
	return nil
}

// Mixed parses flags that may stand between the words, and returns the words.
func Mixed(flags *flag.FlagSet, args []string) (words []string, err error) {
	for {
		if err := Parse(flags, args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return words, nil
		}
		words, args = append(words, flags.Arg(0)), flags.Args()[1:]
	}
}

// A Duration is the value of a flag that takes a duration, and says what one looks like.
type Duration time.Duration

func (d *Duration) String() string { return time.Duration(*d).String() }

// Set implements flag.Value.
func (d *Duration) Set(text string) error {
	v, err := time.ParseDuration(text)
	if err != nil {
		return errors.New("want a duration such as 24h, 90m or 30s")
	}
	*d = Duration(v)
	return nil
}

// DurationFlag adds a flag that takes a duration.
func DurationFlag(flags *flag.FlagSet, name string, fallback time.Duration, about string) *time.Duration {
	d := &fallback
	flags.Var((*Duration)(d), name, about)
	return d
}
