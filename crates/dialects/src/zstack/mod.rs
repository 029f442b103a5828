//! ZStack.
