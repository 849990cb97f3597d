//go:build !purego

#include "textflag.h"

// func Flush() (before uint32)
//
// Bit 15 of MXCSR is FTZ, bit 6 DAZ.
TEXT ·Flush(SB), NOSPLIT, $8-4
	STMXCSR before+0(FP)
	MOVL    before+0(FP), AX
	ORL     $0x8040, AX
	MOVL    AX, mode-8(SP)
	LDMXCSR mode-8(SP)
	RET

// func Restore(mode uint32)
TEXT ·Restore(SB), NOSPLIT, $0-4
	LDMXCSR mode+0(FP)
	RET
