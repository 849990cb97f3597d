//go:build !purego

#include "textflag.h"

// func Flush() (before uint32)
//
// Bit 24 of FPCR is FZ. The register's upper half is reserved and 0.
TEXT ·Flush(SB), NOSPLIT, $0-4
	MRS  FPCR, R0
	MOVW R0, before+0(FP)
	ORR  $(1<<24), R0
	MSR  R0, FPCR
	RET

// func Restore(mode uint32)
TEXT ·Restore(SB), NOSPLIT, $0-4
	MOVWU mode+0(FP), R0
	MSR   R0, FPCR
	RET
