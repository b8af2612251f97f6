/** Two tasks of one piece of work: their people differ. */
public record Separate(int one, int other) {
}
