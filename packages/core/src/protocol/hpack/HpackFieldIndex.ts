/**
 * Where an encoder finds a field in its dynamic table: by name, and by name
 * and value, without looking at the entries.
 *
 * For each name and each of its values it has the id of the newest entry.
 * Ids are those of {@link HpackDynamicTable}, which keeps the index in step;
 * so it never has more names or values than the table has entries.
 *
 * @internal
 * @since 0.1.0
 */

/** A name that is in the table. @category models */
export interface IndexedName {
  /** Of the newest entry with the name. */
  newestId: number
  /** The newest entry of each of its values. */
  readonly byValue: Map<string, number>
}

/** @category models */
export class HpackFieldIndex {
  private readonly byName = new Map<string, IndexedName>()

  find(name: string): IndexedName | undefined {
    return this.byName.get(name)
  }

  add(name: string, value: string, id: number): void {
    const known = this.byName.get(name)
    if (known === undefined) {
      this.byName.set(name, { newestId: id, byValue: new Map([[value, id]]) })
      return
    }
    known.newestId = id
    known.byValue.set(value, id)
  }

  /** The oldest entry goes: only a newer one of the same name or value stays to be found. */
  remove(name: string, value: string, id: number): void {
    const known = this.byName.get(name)
    if (known === undefined) return
    if (known.newestId === id) this.byName.delete(name)
    else if (known.byValue.get(value) === id) known.byValue.delete(value)
  }
}
