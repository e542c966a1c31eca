import { findNodeAtLocation, parseTree, type Node } from 'jsonc-parser';

/**
 * Line (from 1) of a key in a JSON text, for annotations. The nearest ancestor that is there is
 * used where the key itself is not: a missing factor is reported at its block.
 *
 * @param path dotted, as findings write it: `rope_scaling.factor`, `rope_parameters.0.factor`
 */
export function lineOfKey(text: string, path: string): number {
  const root = parseTree(text);
  if (!root) return 1;
  const segments = path === '' ? [] : path.split('.');
  let node: Node = root;
  for (const segment of segments) {
    const next =
      findNodeAtLocation(node, [segment]) ??
      (/^\d+$/.test(segment) ? findNodeAtLocation(node, [Number(segment)]) : undefined);
    if (!next) break;
    node = next;
  }
  // A property's value has the property as its parent: its key is what the line should show.
  const shown = node.parent?.type === 'property' ? node.parent : node;
  return lineAt(text, shown.offset);
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
