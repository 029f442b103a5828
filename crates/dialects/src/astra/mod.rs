//! NetApp Astra Control.
