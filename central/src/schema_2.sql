-- What a used code gave, and to which key: a device whose answer was lost asks again with the same key and receives the same certificate.
ALTER TABLE staff_codes ADD COLUMN thumbprint BLOB;
ALTER TABLE staff_codes ADD COLUMN certificate BLOB;
