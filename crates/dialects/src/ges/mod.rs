//! Huawei Graph Engine Service, v1.0 and v2.
