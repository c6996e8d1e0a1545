// `@owf/mdoc` (npm) as the other side of our mdoc code. None of our code runs here.
//
//   WALLET_NODE_MODULES=DIR node owf_mdoc.mjs verify   <task.json     verifies a DeviceResponse, then the same with single bytes changed
//   WALLET_NODE_MODULES=DIR node owf_mdoc.mjs present  <task.json     issues a document, verifies it as a holder does, presents it
//
// The library brings formats and rules and asks for primitives; they are Node's own (OpenSSL). Binary values are base64url.

import crypto from "node:crypto";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const library = await import(pathToFileURL(`${process.env.WALLET_NODE_MODULES}/@owf/mdoc/dist/index.mjs`));
const { CoseKey, DateOnly, DeviceKey, DeviceRequest, DeviceResponse, DocRequest, Holder, IssuerSigned, ItemsRequest, Issuer, SessionTranscript, SignatureAlgorithm, Verifier } = library;

const bytes = (text) => new Uint8Array(Buffer.from(text, "base64url"));
const text = (data) => Buffer.from(data).toString("base64url");
const der = (certificate) => new crypto.X509Certificate(certificate);
const publicKey = (key) => crypto.createPublicKey({ key: { kty: "EC", crv: "P-256", x: text(key.x), y: text(key.y) }, format: "jwk" });
const privateKey = (key) =>
  crypto.createPrivateKey({ key: { kty: "EC", crv: "P-256", x: text(key.x), y: text(key.y), d: text(key.d) }, format: "jwk" });

const primitives = {
  crypto: {
    random: (length) => new Uint8Array(crypto.randomBytes(length)),
    digest: ({ digestAlgorithm, bytes: data }) => new Uint8Array(crypto.createHash(digestAlgorithm.replace("-", "")).update(data).digest()),
    // ISO/IEC 18013-5, 9.1.3.5: HKDF over the agreed secret, salt SHA-256 of the session transcript.
    calculateEphemeralMacKey: ({ privateKey: own, publicKey: other, sessionTranscriptBytes, info }) => {
      const ecdh = crypto.createECDH("prime256v1");
      ecdh.setPrivateKey(own);
      const salt = crypto.createHash("sha256").update(sessionTranscriptBytes).digest();
      const key = crypto.hkdfSync("sha256", ecdh.computeSecret(other), salt, Buffer.from(info), 32);
      return CoseKey.create({ keyType: 4, k: new Uint8Array(key), algorithm: 5 });
    },
  },
  cose: {
    sign1: {
      sign: ({ toBeSigned, key }) => new Uint8Array(crypto.sign("sha256", toBeSigned, { key: privateKey(key), dsaEncoding: "ieee-p1363" })),
      verify: ({ sign1, key }) => {
        if (sign1.signatureAlgorithmName !== "ES256" && sign1.signatureAlgorithmName !== SignatureAlgorithm.ES256) return false;
        return crypto.verify("sha256", sign1.toBeSigned, { key: publicKey(key), dsaEncoding: "ieee-p1363" }, sign1.signature);
      },
    },
    mac0: {
      sign: ({ toBeAuthenticated, key }) => new Uint8Array(crypto.createHmac("sha256", key.k).update(toBeAuthenticated).digest()),
      verify: ({ mac0, key }) => crypto.createHmac("sha256", key.k).update(mac0.toBeAuthenticated).digest().equals(Buffer.from(mac0.tag)),
    },
  },
  x509: {
    getIssuerNameField: ({ certificate, field }) =>
      der(certificate).issuer.split("\n").filter((line) => line.startsWith(`${field}=`)).map((line) => line.slice(field.length + 1)),
    getPublicKey: ({ certificate }) => CoseKey.fromJwk(der(certificate).publicKey.export({ format: "jwk" })),
    verifyCertificateChain: ({ trustedCertificates, x5chain, now }) => {
      const moment = now ?? new Date();
      const chain = [...x5chain.map(der)];
      for (const certificate of chain) {
        if (moment < new Date(certificate.validFrom) || moment > new Date(certificate.validTo)) throw new Error("outside its validity");
      }
      for (let at = 0; at + 1 < chain.length; at += 1) {
        if (!chain[at].verify(chain[at + 1].publicKey)) throw new Error("broken chain");
      }
      const last = chain.at(-1);
      if (!trustedCertificates.map(der).some((root) => root.ca && last.checkIssued(root) && last.verify(root.publicKey))) throw new Error("no trusted root");
    },
    getCertificateData: ({ certificate }) => {
      const read = der(certificate);
      return {
        issuerName: read.issuer, subjectName: read.subject, serialNumber: read.serialNumber, thumbprint: read.fingerprint256,
        notBefore: new Date(read.validFrom), notAfter: new Date(read.validTo), pem: read.toString(),
      };
    },
  },
};

/** The transcript of an OpenID4VP 1.0 presentation, built by the library from its parts. */
const transcriptOf = ({ client_id, nonce, jwk_thumbprint, response_uri }) =>
  SessionTranscript.forOid4Vp(
    { clientId: client_id, nonce, jwkThumbprint: jwk_thumbprint ? bytes(jwk_thumbprint) : undefined, responseUri: response_uri },
    primitives,
  );

async function accepts(response, sessionTranscript, root) {
  try {
    const decoded = DeviceResponse.decode(response);
    if (decoded.documents?.length !== 1) return { accepted: false, why: "not one document" };
    await Verifier.verifyDeviceResponse({ deviceResponse: decoded, sessionTranscript, trustedCertificates: [root] }, primitives);
    const shown = {};
    for (const [space, items] of decoded.documents[0].issuerSigned.issuerNamespaces.issuerNamespaces) {
      for (const item of items) shown[`${space}/${item.elementIdentifier}`] = String(item.elementValue);
    }
    return { accepted: true, shown };
  } catch (error) {
    return { accepted: false, why: String(error.message ?? error).slice(0, 200) };
  }
}

async function verify(task) {
  const response = bytes(task.response);
  const root = bytes(task.root);
  const transcript = await transcriptOf(task.session);
  const whole = await accepts(response, transcript, root);
  const otherSessions = {};
  for (const [name, session] of Object.entries(task.other_sessions ?? {})) {
    otherSessions[name] = await accepts(response, await transcriptOf(session), root);
  }
  // One changed byte at every position: every bit pattern of `task.flips` in turn.
  const taken = [];
  let tried = 0;
  for (const flip of task.flips ?? []) {
    for (let at = 0; at < response.length; at += 1) {
      const changed = response.slice();
      changed[at] ^= flip;
      tried += 1;
      if ((await accepts(changed, transcript, root)).accepted) taken.push([at, flip]);
    }
  }
  return { whole, other_sessions: otherSessions, tried, taken };
}

async function present(task) {
  const issuerKey = CoseKey.fromJwk({ ...task.issuer_key, alg: "ES256" });
  const device = crypto.generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });
  const deviceKey = CoseKey.fromJwk({ ...device, alg: "ES256" });
  const { d: _, ...devicePublic } = device;
  const now = new Date(Math.floor(Date.now() / 1000) * 1000);
  const issuer = new Issuer(task.doctype, primitives);
  for (const [space, values] of Object.entries(task.name_spaces)) {
    const dated = Object.entries(values).map(([name, value]) => [name, name.endsWith("_date") ? new DateOnly(value) : value]);
    issuer.addIssuerNamespace(space, Object.fromEntries(dated));
  }
  const issued = await issuer.sign({
    signingKey: issuerKey,
    algorithm: SignatureAlgorithm.ES256,
    digestAlgorithm: "SHA-256",
    validityInfo: { signed: now, validFrom: now, validUntil: new Date(now.getTime() + 90 * 86_400_000) },
    deviceKeyInfo: { deviceKey: DeviceKey.fromJwk(devicePublic) },
    certificates: [bytes(task.certificate)],
  });
  const issuerSigned = issued.encode();
  await Holder.verifyIssuerSigned({ issuerSigned, trustedCertificates: [bytes(task.root)] }, primitives);
  const wanted = Object.entries(task.show).map(([space, names]) => [space, new Map(names.map((name) => [name, false]))]);
  const request = DeviceRequest.create({
    docRequests: [DocRequest.create({ itemsRequest: ItemsRequest.create({ docType: task.doctype, namespaces: new Map(wanted) }) })],
  });
  const response = await Holder.createDeviceResponseForDeviceRequest(
    {
      deviceRequest: request,
      sessionTranscript: await transcriptOf(task.session),
      issuerSigned: [IssuerSigned.decode(issuerSigned)],
      signature: { signingKey: deviceKey },
    },
    primitives,
  );
  return { issuer_signed: text(issuerSigned), response: text(response.encode()), transcript: text((await transcriptOf(task.session)).encode()) };
}

const task = JSON.parse(readFileSync(0, "utf8"));
const done = await { verify, present }[process.argv[2]](task);
process.stdout.write(JSON.stringify(done));
