// Holds manifests (YAML on standard input) against Kubernetes' types and schemas, says what is wrong with each, and ends with 1 if anything is.
//
// The schemas, as the API server publishes them, say nothing of fields that they do not know. The compiler does: it takes each manifest as a literal
// of its type, and a field that the type lacks, one that is missing or one of another type is an error there.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { parseAllDocuments } from "yaml";

const packages = { "monitoring.coreos.com": "@kubernetes-models/prometheus-operator" };
const problems = [];
const manifests = [];
for (const document of parseAllDocuments(readFileSync(0, "utf8"))) {
    problems.push(...document.errors.map((error) => `YAML: ${error.message}`));
    const manifest = document.toJS();
    if (manifest !== null) {
        manifests.push(manifest);
    }
}

const nameOf = ({ kind, metadata }) => `${kind} ${metadata?.name}`;
const moduleOf = ({ apiVersion, kind }) => `${packages[apiVersion.split("/")[0]] ?? "kubernetes-models"}/${apiVersion}/${kind}`;

// A source for each, beside this file, where its imports are found.
const sources = new Map(manifests.map((manifest, index) => [
    fileURLToPath(new URL(`manifest-${index}.ts`, import.meta.url)),
    {
        manifest,
        text: `import type { I${manifest.kind} } from "${moduleOf(manifest)}";\nexport const it: I${manifest.kind} = ${JSON.stringify(manifest, null, 1)};\n`,
    },
]));
const options = { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, noEmit: true, skipLibCheck: true, strict: true, types: [] };
const host = ts.createCompilerHost(options);
const { fileExists, readFile, getSourceFile } = host;
host.fileExists = (path) => sources.has(path) || fileExists(path);
host.readFile = (path) => sources.get(path)?.text ?? readFile(path);
host.getSourceFile = (path, version, ...rest) =>
    sources.has(path) ? ts.createSourceFile(path, sources.get(path).text, version) : getSourceFile(path, version, ...rest);
for (const diagnostic of ts.getPreEmitDiagnostics(ts.createProgram([...sources.keys()], options, host))) {
    const source = sources.get(diagnostic.file?.fileName);
    const line = source?.text.slice(0, diagnostic.start).split("\n").length;
    problems.push(
        `${source ? nameOf(source.manifest) : "types"}: ${ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n")}`
        + (source ? `\n    at ${source.text.split("\n")[line - 1].trim()}` : ""));
}

for (const manifest of manifests) {
    const model = (await import(moduleOf(manifest)))[manifest.kind];
    try {
        new model(manifest).validate();
    } catch (error) {
        problems.push(`${nameOf(manifest)}: ${error.message}`);
    }
}

console.log([...manifests.map((manifest) => `${manifest.apiVersion} ${nameOf(manifest)}`), ...problems.map((problem) => `wrong: ${problem}`)].join("\n"));
process.exitCode = problems.length === 0 ? 0 : 1;
