package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"holdfast/internal/cli"
)

// checkCommand prints every mistake of configuration and rules at once.
func checkCommand(_ context.Context, args []string, out io.Writer) error {
	flags := cli.NewFlags("gateway check")
	file := flags.String("config", os.Getenv("GATEWAY_CONFIG_FILE"), "configuration file")
	if err := cli.Parse(flags, args); err != nil {
		return err
	}
	cfg, err := loadConfig(*file, os.Getenv)
	if err = errors.Join(err, cfg.refusal()); err != nil {
		return fmt.Errorf("%w: the configuration has mistakes:\n%v", errUsage, err)
	}
	if _, err = fmt.Fprintln(out, "configuration and rules are right"); err != nil {
		return err
	}
	for _, s := range scalars() {
		given := s.given(os.Getenv)
		if slices.ContainsFunc(given, func(name string) bool { return os.Getenv(name) != os.Getenv(given[0]) }) {
			fmt.Fprintln(out, "but", overruled(given))
		}
	}
	if cfg.Rules == nil {
		return nil
	}
	for _, m := range cfg.Rules.set().Missing(cfg.outputNames()) {
		if _, err := fmt.Fprintln(out, "but", m); err != nil {
			return err
		}
	}
	return nil
}

// envCommand prints the table of variables as the reference in docs/ shows it.
func envCommand(_ context.Context, args []string, out io.Writer) error {
	if err := cli.Parse(cli.NewFlags("gateway env"), args); err != nil {
		return err
	}
	fmt.Fprintln(out, "| variable | key in the file | default | meaning |")
	fmt.Fprintln(out, "|---|---|---|---|")
	for _, s := range scalars() {
		names := strings.Join(s.variables(), "`, `")
		if _, err := fmt.Fprintf(out, "| `%s` | `%s` | %s | %s |\n", names, s.path, code(s.fallback), s.about); err != nil {
			return err
		}
	}
	return nil
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}
