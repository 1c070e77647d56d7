"""Derivatives as functions: gradients as graphs, grad and its kin, and the check of a gradient by differences."""
