package mutants

// A mutant is a variant of Holdfast with one thing broken.
type mutant struct {
	name      string
	meaning   string // what it does wrong
	file      string // in the tree
	edits     []edit
	detectors []detector
}

// An edit replaces a text that stands once in the file.
type edit struct{ old, new string }

// A detector is tests that must fail on the variant.
type detector struct {
	folder, tests string // package and -run
	env           []string
}

func (d detector) String() string { return d.tests + " of " + d.folder }

func mutants() []mutant {
	return []mutant{
		{
			name:    "the paho token is believed",
			meaning: "a message counts as delivered when the link ends without an error of its token",
			file:    "mqtt/publish.go",
			edits: []edit{{
				"	default:\n		return c.Err()\n	}\n}\n\nfunc (c *Conn) settle",
				"	default:\n		return nil\n	}\n}\n\nfunc (c *Conn) settle",
			}},
			detectors: []detector{
				{folder: "mqtt", tests: "."},
			},
		},
		{
			name:    "a record is freed by PUBACK",
			meaning: "what the broker acknowledged is deleted, before any database has it",
			file:    "uplink/forward.go",
			edits: []edit{{
				"	if s.u.o.Mode == holdfast.AckReceipt {\n		return\n	}\n	if err := s.u.o.Queue.Done(",
				"	if err := s.u.o.Queue.Done(",
			}},
			detectors: []detector{
				{folder: "uplink", tests: "."},
				{folder: "cmd/gateway", tests: "TestDay"},
				{folder: "test/chaos", tests: "TestChaosMosquitto", env: []string{"HOLDFAST_KILLS=15"}},
			},
		},
		{
			name:    "NoSync",
			meaning: "the buffer's file is written and not synced",
			file:    "buffer/file.go",
			edits: []edit{{
				"	db.AllocSize = allocSize(maxBytes)\n",
				"	db.AllocSize = allocSize(maxBytes)\n	db.NoSync = true\n",
			}},
			detectors: []detector{
				{folder: "test/crash", tests: "TestImages/Honest", env: []string{"HOLDFAST_IMAGES=8000"}},
			},
		},
		{
			name:    "the ledger is off",
			meaning: "what comes again is stored again",
			file:    "receiver/ledger.go",
			edits: []edit{{
				"for _, r := range blocked.Missing(s.Range) {",
				"_ = blocked\n		for _, r := range (holdfast.Ranges{s.Range}) {",
			}},
			detectors: []detector{
				{folder: "receiver", tests: "."},
				{folder: "cmd/gateway", tests: "TestCounterexample"},
			},
		},
		{
			name:    "receipt before commit",
			meaning: "the receiver answers as soon as it has the rows, and commits then; what a failed commit loses heals from history only",
			file:    "receiver/commit.go",
			edits: []edit{{
				"		out = w.outcome\n		return nil\n",
				"		out = w.outcome\n		for _, receipt := range merge(out.receipts) {\n			_ = r.send(conn, receipt)\n		}\n		return nil\n",
			}, {
				"	for _, receipt := range merge(out.receipts) {\n		if err := r.send(conn, receipt); err != nil {\n			return err\n		}\n	}\n",
				"",
			}},
			detectors: []detector{
				{folder: "receiver", tests: "TestDatabaseFails"},
			},
		},
		{
			name:    "numbers are used again",
			meaning: "a start goes on with the stream of the start before, and its numbers",
			file:    "stream.go",
			edits: []edit{{
				"	rand.Read(s[:]) // never returns an error since Go 1.24\n",
				"	rand.Read(make([]byte, 1))\n	s[0] = 1\n",
			}},
			detectors: []detector{
				{folder: "buffer", tests: "."},
				{folder: "test/chaos", tests: "TestChaosEmbeddedBroker", env: []string{"HOLDFAST_KILLS=10"}},
			},
		},
		{
			name:    "the SUBACK is not read",
			meaning: "a subscription that the broker refused counts as granted",
			file:    "mqtt/subscribe.go",
			edits: []edit{{
				"!ok || code >= refused {",
				"!ok && code >= refused {",
			}},
			detectors: []detector{
				{folder: "mqtt", tests: "TestSubscribe"},
				{folder: "uplink", tests: "TestDenied"},
				{folder: "test/chaos", tests: "TestFaultByFault/.*/.*subscriptions_refused"},
			},
		},
		{
			name:    "a loss is not stated",
			meaning: "what is given up for want of space is forgotten, until a receiver asks for it",
			file:    "buffer/lane.go",
			edits: []edit{{
				"		n += l.lose(owed, holdfast.Dropped, cause)\n",
				"		n += l.lose(owed, holdfast.Dropped, cause)\n		l.done.Add(owed)\n",
			}},
			detectors: []detector{
				{folder: "buffer", tests: "."},
			},
		},
		{
			name:    "nobody asks for holes",
			meaning: "the receiver leaves open what is missing",
			file:    "receiver/want.go",
			edits: []edit{{
				"lane.ask(due, g, now) {",
				"lane.ask(due, g, now) && false {",
			}},
			detectors: []detector{
				{folder: "receiver", tests: "TestWant"},
				{folder: "cmd/gateway", tests: "TestForgedReceiptsHeal|TestCounterexampleRestoredBackup"},
			},
		},
		{
			name:    "the clean mark stays",
			meaning: "a file that was closed well is believed for ever",
			file:    "buffer/clean.go",
			edits: []edit{{
				"func unmarkClean(path string) error { return removeNote(cleanPath(path)) }",
				"func unmarkClean(path string) error { return nil }",
			}},
			detectors: []detector{
				{folder: "buffer", tests: "."},
			},
		},
	}
}
