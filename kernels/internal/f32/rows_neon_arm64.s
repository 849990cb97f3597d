//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"
#include "rows_neon_arm64.h"

// Arithmetic: V0 is the input and the result, V30 and V31 the clamp.

#define CLAMPED \
	SPREAD(Rows_Lo, F30, V30.S[0], V30.S4); \
	SPREAD(Rows_Hi, F31, V31.S[0], V31.S4)

#define STORE(move, bytes) \
	FMAX4(30, 0, 0); FMIN4(31, 0, 0); \
	move F0, (R9); ADD $bytes, R8; ADD $bytes, R9; ADD $bytes, R10; ADD $bytes, R11

#define MULADD(move, bytes, only, repeat) move (R8), F1; move (R10), F2; move (R11), F0; FMLA4(1, 2, 0); STORE(move, bytes)
#define MUL(move, bytes, only, repeat) move (R8), F0; move (R10), F1; FMUL4(1, 0, 0); STORE(move, bytes)
#define ADDB(move, bytes, only, repeat) move (R8), F0; move (R11), F1; FADD4(1, 0, 0); STORE(move, bytes)
#define CLAMP(move, bytes, only, repeat) move (R8), F0; STORE(move, bytes)

// func muladdc4NEON(t *Rows)
TEXT ·muladdc4NEON(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	BEGIN
	CLAMPED
	EACH_ROW(MULADD)
	RET

// func mulc4NEON(t *Rows)
TEXT ·mulc4NEON(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	BEGIN
	CLAMPED
	EACH_ROW(MUL)
	RET

// func addc4NEON(t *Rows)
TEXT ·addc4NEON(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	BEGIN
	CLAMPED
	EACH_ROW(ADDB)
	RET

// func clampc4NEON(t *Rows)
TEXT ·clampc4NEON(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	BEGIN
	CLAMPED
	EACH_ROW(CLAMP)
	RET

// Columns: all rows of sixteen channels, then of four, two and one. V16 to V19 are the sums, V20 to V23 the means.
//
//	R1, R2, R3  In, Out and A at the channels under way
//	R4  LDI        R6  rows left        R7  channels left        R8  In at the row under way

#define SUM(v, sum, mean) FADD4(v, sum, sum)
#define SQUARE(v, sum, mean) FSUB4(mean, v, v); FMLA4(v, v, sum)

#define MEAN4 FLDPQ (R3), (F20, F21); FLDPQ 32(R3), (F22, F23); ADD $64, R3
#define MEAN1(move, bytes) move (R3), F20; ADD $bytes, R3
#define NO_MEAN4
#define NO_MEAN1(move, bytes)

#define COLUMNS4(rows, MEAN, op) \
	MEAN; \
	ZERO4(16); ZERO4(17); ZERO4(18); ZERO4(19); \
	MOVD R1, R8; \
	MOVD Rows_RowsLeft(R0), R6; \
	PCALIGN $64; \
rows: \
	FLDPQ (R8), (F0, F1); FLDPQ 32(R8), (F2, F3); ADD R4, R8; \
	op(0, 16, 20); op(1, 17, 21); op(2, 18, 22); op(3, 19, 23); \
	SUBS $1, R6; \
	BNE rows; \
	FSTPQ (F16, F17), (R2); FSTPQ (F18, F19), 32(R2); \
	ADD $64, R1; \
	ADD $64, R2

#define COLUMNS1(rows, move, bytes, MEAN, op) \
	MEAN(move, bytes); \
	ZERO4(16); \
	MOVD R1, R8; \
	MOVD Rows_RowsLeft(R0), R6; \
	PCALIGN $64; \
rows: \
	move (R8), F0; ADD R4, R8; \
	op(0, 16, 20); \
	SUBS $1, R6; \
	BNE rows; \
	move F16, (R2); \
	ADD $bytes, R1; \
	ADD $bytes, R2

#define COLUMNS(MEAN4, MEAN1, op) \
	MOVD Rows_In(R0), R1; \
	MOVD Rows_Out(R0), R2; \
	MOVD Rows_A(R0), R3; \
	MOVD Rows_LDI(R0), R4; \
	MOVD Rows_C(R0), R7; \
sixteen: \
	SUBS $16, R7; \
	BLT fifteen; \
	COLUMNS4(rows16, MEAN4, op); \
	B sixteen; \
fifteen: \
	ADD $16, R7; \
four: \
	SUBS $4, R7; \
	BLT two; \
	COLUMNS1(rows4, FMOVQ, 16, MEAN1, op); \
	B four; \
two: \
	TBZ $1, R7, one; \
	COLUMNS1(rows2, FMOVD, 8, MEAN1, op); \
one: \
	TBZ $0, R7, done; \
	COLUMNS1(rows1, FMOVS, 4, MEAN1, op); \
done:

// func colsumc16NEON(t *Rows)
TEXT ·colsumc16NEON(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	COLUMNS(NO_MEAN4, NO_MEAN1, SUM)
	RET

// func colsqc16NEON(t *Rows)
TEXT ·colsqc16NEON(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	COLUMNS(MEAN4, MEAN1, SQUARE)
	RET
