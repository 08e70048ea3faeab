// Package damage tries to break the promise by damaging the buffer's file: bits flip, sectors and pages turn to zeros,
// garbage or each other's content, writes are lost, the file is cut or grows a tail, and the clean mark beside it lies.
//
// A real file is made once: five streams with backlog, history, lost ranges and state, large and small, ended well and
// killed. What was stored under each number can be told from the number alone. Each damaged copy then goes through what a
// start of the gateway does, with the real program: for some copies the steps of cmd/gateway/open.go with its `buffer
// check` and `buffer salvage` children, whose report is compared with a scan of the file by code of this test's own; for
// the others `gateway run` itself, and the clock stands beside it until its page answers and a row of its source has been
// handed out. At the end another child of the test, which may die too, reads all that the file delivers.
//
// A copy is broken by a reading that was not stored under its number, a number that comes twice, one that is neither
// delivered nor done nor stated lost although the file still told of it, a start that dies or takes longer than it may,
// or a salvage that says another count than what it saved. Where the meta pages are back at an earlier commit, with everything
// else as that left it, the numbers of the later commits may be gone: so a power cut before these commits leaves the file too.
//
// HOLDFAST_COPIES sets how many copies are damaged. HOLDFAST_SEED replays what is done to them; since bbolt gives pages at
// random the file is laid out anew in each run, and HOLDFAST_KEEP names a folder for the copies that broke something.
package damage
