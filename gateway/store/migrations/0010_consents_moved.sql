-- Consents have a file of their own, which several gateways may share.
DROP TABLE consents;
