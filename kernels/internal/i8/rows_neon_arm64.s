//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"

// Walking rows of bytes, a block of channels at a time. V0 to V3 are the results as numbers, V4 to V6 what BYTES4 needs, V7 bytes.
//
//	R0  t                   R1, R2, R3  In, B and Out of the row under way      R8, R9, R10  the same at the block under way
//	R5  rows left           R6  rows done       R7  channels left               R11, R12, R13  a part, parts left, a part's input
//	R14 channels done       R24 scratch

#define EACH_ROW(body) \
	MOVD Rows_In(R0), R1; \
	MOVD Rows_B(R0), R2; \
	MOVD Rows_Out(R0), R3; \
	MOVD Rows_RowsLeft(R0), R5; \
	MOVD ZR, R6; \
row: \
	MOVD R1, R8; \
	MOVD R2, R9; \
	MOVD R3, R10; \
	MOVD ZR, R14; \
	MOVD Rows_C(R0), R7; \
	BLOCKS(sixteen, eight, four, some, one, done, part16, part8, part4, part1, body) \
	MOVD Rows_LDI(R0), R24; ADD R24, R1; \
	MOVD Rows_LDB(R0), R24; ADD R24, R2; \
	MOVD Rows_LDO(R0), R24; ADD R24, R3; \
	ADD $1, R6; \
	SUBS $1, R5; \
	BNE row; \
	MOVD ZR, Rows_RowsLeft(R0)

// NEXT goes past a block's bytes.
#define NEXT(bytes) ADD $bytes, R8; ADD $bytes, R9; ADD $bytes, R10; ADD $bytes, R14

// LESS, FLOATS and TIMES make sixteen numbers in n and on those less zero, float32, and those times scale, which are in all lanes.
#define LESS(zero, n) SUB4(zero, n, n); SUB4(zero, n+1, n+1); SUB4(zero, n+2, n+2); SUB4(zero, n+3, n+3)
#define TIMES(scale, n) FMUL4(scale, n, n); FMUL4(scale, n+1, n+1); FMUL4(scale, n+2, n+2); FMUL4(scale, n+3, n+3)
#define FLOATS(n) SCVTF4(n, n); SCVTF4(n+1, n+1); SCVTF4(n+2, n+2); SCVTF4(n+3, n+3)

// ADD_PARTS adds the parts, of which R11 is at the one under way.
#define ADD_PARTS(bytes, LOAD, STORE, NUMBERS, TO_NUMBERS, part) \
	ZERO4(0); ZERO4(1); ZERO4(2); ZERO4(3); \
	MOVD Rows_Parts(R0), R11; \
	MOVD Rows_N(R0), R12; \
part: \
	MOVD Part_LDI(R11), R13; \
	MUL R6, R13, R13; \
	MOVD Part_In(R11), R24; \
	ADD R24, R13; \
	ADD R14, R13; \
	SPREAD(Part_Zero(R11), F20, V20.S[0], V20.S4); \
	SPREAD(Part_Scale(R11), F21, V21.S[0], V21.S4); \
	LOAD(R13, F7, V7); \
	WIDEN(7, 16); LESS(20, 16); FLOATS(16); TIMES(21, 16); \
	FADD4(16, 0, 0); FADD4(17, 1, 1); FADD4(18, 2, 2); FADD4(19, 3, 3); \
	ADD $Part__size, R11; \
	SUBS $1, R12; \
	BNE part; \
	BYTES4(0); \
	STORE(F0, V0, R10); \
	NEXT(bytes)

#define PRODUCT(bytes, LOAD, STORE, NUMBERS, TO_NUMBERS, part) \
	LOAD(R8, F7, V7); \
	WIDEN(7, 0); LESS(20, 0); \
	LOAD(R9, F7, V7); \
	WIDEN(7, 16); LESS(21, 16); \
	MUL4(16, 0, 0); MUL4(17, 1, 1); MUL4(18, 2, 2); MUL4(19, 3, 3); \
	FLOATS(0); TIMES(22, 0); \
	BYTES4(0); \
	STORE(F0, V0, R10); \
	NEXT(bytes)

#define QUANTIZED(bytes, LOAD, STORE, NUMBERS, TO_NUMBERS, part) \
	NUMBERS(R8, F0, F1, F2, F3); \
	TIMES(22, 0); \
	BYTES4(0); \
	STORE(F0, V0, R10); \
	ADD $3*bytes, R8; \
	NEXT(bytes)

#define DEQUANTIZED(bytes, LOAD, STORE, NUMBERS, TO_NUMBERS, part) \
	LOAD(R8, F7, V7); \
	WIDEN(7, 0); LESS(20, 0); FLOATS(0); TIMES(22, 0); \
	TO_NUMBERS(F0, F1, F2, F3, R10); \
	ADD $3*bytes, R10; \
	NEXT(bytes)

// LOOKED_UP looks a byte up in each quarter of the table; an index that is none of a quarter leaves the byte as it is.
#define LOOKED_UP(bytes, LOAD, STORE, NUMBERS, TO_NUMBERS, part) \
	LOAD(R8, F7, V7); \
	VTBL V7.B16, [V16.B16, V17.B16, V18.B16, V19.B16], V0.B16; \
	VSUB V1.B16, V7.B16, V7.B16; \
	VTBX V7.B16, [V20.B16, V21.B16, V22.B16, V23.B16], V0.B16; \
	VSUB V1.B16, V7.B16, V7.B16; \
	VTBX V7.B16, [V24.B16, V25.B16, V26.B16, V27.B16], V0.B16; \
	VSUB V1.B16, V7.B16, V7.B16; \
	VTBX V7.B16, [V28.B16, V29.B16, V30.B16, V31.B16], V0.B16; \
	STORE(F0, V0, R10); \
	NEXT(bytes)

// func addNEON(t *Rows)
TEXT ·addNEON(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	BYTES4_LIMITS(Rows_Finish, R24)
	EACH_ROW(ADD_PARTS)
	RET

// func mulNEON(t *Rows)
TEXT ·mulNEON(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	BYTES4_LIMITS(Rows_Finish, R24)
	SPREAD(Rows_InZero(R0), F20, V20.S[0], V20.S4)
	SPREAD(Rows_BZero(R0), F21, V21.S[0], V21.S4)
	SPREAD(Rows_InScale(R0), F22, V22.S[0], V22.S4)
	EACH_ROW(PRODUCT)
	RET

// func quantizeNEON(t *Rows)
TEXT ·quantizeNEON(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	BYTES4_LIMITS(Rows_Finish, R24)
	SPREAD(Rows_InScale(R0), F22, V22.S[0], V22.S4)
	EACH_ROW(QUANTIZED)
	RET

// func dequantizeNEON(t *Rows)
TEXT ·dequantizeNEON(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	SPREAD(Rows_InZero(R0), F20, V20.S[0], V20.S4)
	SPREAD(Rows_InScale(R0), F22, V22.S[0], V22.S4)
	EACH_ROW(DEQUANTIZED)
	RET

// func tableNEON(t *Rows)
TEXT ·tableNEON(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	MOVD Rows_Table(R0), R24
	VLD1.P 64(R24), [V16.B16, V17.B16, V18.B16, V19.B16]
	VLD1.P 64(R24), [V20.B16, V21.B16, V22.B16, V23.B16]
	VLD1.P 64(R24), [V24.B16, V25.B16, V26.B16, V27.B16]
	VLD1.P 64(R24), [V28.B16, V29.B16, V30.B16, V31.B16]
	VMOVI $64, V1.B16
	EACH_ROW(LOOKED_UP)
	RET
