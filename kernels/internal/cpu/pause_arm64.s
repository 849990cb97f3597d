//go:build !purego

#include "textflag.h"

// func Pause(n uint32)
//
// ISB empties the pipeline, some ten nanoseconds; YIELD does nothing on most cores.
TEXT ·Pause(SB), NOSPLIT, $0-4
	MOVWU n+0(FP), R0
	CBZ   R0, done

again:
	ISB  $15
	SUBS $1, R0
	BNE  again

done:
	RET
